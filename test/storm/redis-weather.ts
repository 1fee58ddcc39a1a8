// A Redis in bad weather: killed again and again with every answered write on its disk, and once its place is taken by a
// replica that had not received everything.
import { type RedisServer, startRedis } from '../helpers/redis-server.ts'
import { startTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.ts'
import { until } from '../helpers/until.ts'
import { sleep } from './sleep.ts'
import type { StoreWeather } from './store-weather.ts'

export class RedisWeather implements StoreWeather {
  readonly urls: readonly string[]
  readonly #primary: RedisServer
  readonly #proxy: TcpProxy
  readonly #ends: (() => unknown)[]
  kills = 0
  hasFailedOver = false

  private constructor(primary: RedisServer, proxy: TcpProxy, ends: (() => unknown)[]) {
    this.#primary = primary
    this.#proxy = proxy
    this.#ends = ends
    this.urls = [1, 2].map(() => `redis://127.0.0.1:${proxy.port}`)
  }

  static async begin(): Promise<RedisWeather> {
    const primary = await startRedis()
    const ends: (() => unknown)[] = [() => primary.stop()]
    const proxy = await startTcpProxy({ teardown: end => void ends.push(end) }, primary.port)
    return new RedisWeather(primary, proxy, ends)
  }

  /** Until it is calm; the failover is in the middle, whenever that is. */
  async blow(seconds: number, random: () => number, calm: AbortSignal): Promise<void> {
    const middle = performance.now() + seconds * 500
    while (performance.now() < middle && !calm.aborted) {
      await sleep(500 + random() * 1500, calm)
      this.kills++
      await this.#primary.restart()
    }
    await this.#failOver(calm)
  }

  async end(): Promise<void> {
    for (const end of this.#ends.toReversed()) await end()
  }

  /** What is written in the last moments does not reach the replica. */
  async #failOver(calm: AbortSignal): Promise<void> {
    const replica = await startRedis({ replicaof: `127.0.0.1 ${this.#primary.port}` })
    this.#ends.push(() => replica.stop())
    await until(async () => /master_link_status:up/.test(String(await replica.command('INFO', 'replication'))))
    await replica.command('REPLICAOF', 'NO', 'ONE')
    await sleep(500, calm)
    await this.#primary.kill()
    this.#proxy.target = replica.port
    this.#proxy.cut()
    this.hasFailedOver = true
  }
}
