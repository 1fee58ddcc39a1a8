// What the buttons break, and how it is mended.
import type { Fault } from '../../emulator/faults.ts'
import type { CometChatEmulator } from '../../emulator/handles.ts'
import type { KeptService } from '../world/service-keeper.ts'

const REPLY = { method: 'POST', path: /\/thread$/ }

/** For the next reply, and only for it. */
const ONCE = {
  'commit-then-500': { kind: 'server-error', status: 500, commit: true },
  'reset-after-commit': { kind: 'reset', commit: true },
  'reset-before': { kind: 'reset-before-reading' },
  'too-many': { kind: 'rate-limited', retryAfter: 5 },
  slow: { kind: 'delay', delayMs: 3000 },
  /** It is posted, and killed is who waits for the answer. */
  kill: { kind: 'stall', commit: true }
} as const satisfies Readonly<Record<string, Fault>>

const TOGGLES = ['block', 'moderate', 'revoke'] as const
type Toggle = (typeof TOGGLES)[number]

export const BREAK_NAMES: readonly string[] = [...Object.keys(ONCE), ...TOGGLES, 'expire']

export interface BreakParts {
  readonly emulator: CometChatEmulator
  readonly service: KeptService
  /** Makes the next token of each phone one that has ended. */
  readonly expireTokens: () => Promise<void>
}

export type Breaks = ReturnType<typeof createBreaks>

export function createBreaks({ emulator, service, expireTokens }: BreakParts) {
  const on = new Set<Toggle>()
  let killsNext = false

  const switchOver = (name: Toggle, isOn: boolean): void => {
    if (isOn) on.add(name)
    else on.delete(name)
    if (name === 'block') (isOn ? emulator.block : emulator.unblock)('alice', 'bob')
    if (name === 'revoke') (isOn ? emulator.revokeKey : emulator.addKey)(emulator.apiKey)
    if (name === 'moderate') {
      emulator.switches.moderation = isOn ? 'pending' : 'off'
      emulator.switches.moderationVerdict = 'disapproved'
    }
  }

  return {
    /** Toggles that are on now. */
    state: () => Object.fromEntries(TOGGLES.map(name => [name, on.has(name)])),

    async press(name: string): Promise<void> {
      const toggle = TOGGLES.find(one => one === name)
      if (toggle) return switchOver(toggle, !on.has(toggle))
      if (name === 'expire') return expireTokens()
      if (!Object.hasOwn(ONCE, name)) return
      killsNext ||= name === 'kill'
      emulator.failNext(ONCE[name as keyof typeof ONCE], REPLY)
    },

    /** Called with each reply that CometChat has read: the worst moment for the service to die. */
    replyArrived(): void {
      if (!killsNext) return
      killsNext = false
      service.restart().catch(() => undefined)
    }
  }
}
