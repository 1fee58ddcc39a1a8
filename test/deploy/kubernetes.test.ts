// What deploy/kubernetes promises: probes that reach the admin port, an end that is long enough, nothing that is not needed.
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { loadConfig } from '../../src/config/load-config.ts'
import { CLOSING_MS, DRAIN_MARGIN_MS } from '../../src/lib/service/drain-times.ts'

const DIRECTORY = new URL('../../deploy/kubernetes/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, DIRECTORY), 'utf8')
const deployment = parse(read('deployment.yaml'))
const pod = deployment.spec.template.spec
const [container] = pod.containers
const config: Record<string, string> = parse(read('configmap.yaml')).data
const SECRETS: Readonly<Record<string, string>> = {
  'cometchat-api-key': 'a1b2c3d4e5f60718293a4b5c6d7e8f9001122334',
  'store-url': 'rediss://redis.example.com:6379',
  'store-secret': '0123456789abcdef0123456789abcdef'
}

t.test('the kustomization names every manifest but the one for the operator', async t => {
  const files = readdirSync(DIRECTORY).filter(name => !['kustomization.yaml', 'servicemonitor.yaml'].includes(name))

  t.strictSame([...parse(read('kustomization.yaml')).resources].sort(), files.sort())
})

t.test(
  'its settings are a valid configuration, warned of for the open admin port and for files that are not followed',
  async t => {
    const fromEnv = Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value?: string }) => [name, value ?? 'pod-name'])
    )
    const { warnings, admin, drainDelayMs } = loadConfig({ ...config, ...fromEnv }, path => {
      const secret = SECRETS[path.replace('/run/secrets/thread-reply-bff/', '')]
      if (secret === undefined) throw new Error(`no such file: ${path}`)
      return secret
    })

    t.strictSame(
      warnings.map(warning => warning.split(' ')[0]),
      ['STORE_URL_FILE', 'STORE_SECRET_FILE', 'ADMIN_HOST']
    )
    t.equal(admin.host, '0.0.0.0', 'the node can reach the probes')
    t.equal(drainDelayMs, Number(config['DRAIN_DELAY_MS']))
    const mounted = pod.volumes.find(({ name }: { name: string }) => name === 'secrets')
    t.equal(mounted.secret.secretName, 'thread-reply-bff')
  }
)

t.test('probes go to the admin port, and only the one for calls asks for more than a live process', async t => {
  const { admin } = Object.fromEntries(container.ports.map((port: { name: string }) => [port.name, port]))
  const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe]

  t.equal(admin.containerPort, 3001)
  t.strictSame(
    probes.map(({ httpGet }) => httpGet),
    ['/livez', '/readyz', '/livez'].map(path => ({ path, port: 'admin' }))
  )
})

t.test('the pod is not killed before its drain is over', async t => {
  const [, preStop] = container.lifecycle.preStop.exec.command
  const drainMs = Number(config['DRAIN_DELAY_MS']) + Number(config['REPLY_DEADLINE_MS']) + DRAIN_MARGIN_MS + CLOSING_MS

  t.ok(pod.terminationGracePeriodSeconds >= Number(preStop) + drainMs / 1000)
  t.same(deployment.spec.strategy.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 })
  t.ok(Number(config['DRAIN_DELAY_MS']) / 1000 >= 2 * container.readinessProbe.periodSeconds, 'a probe sees the drain')
})

t.test('the process may do nothing that it does not need', async t => {
  t.match(pod, {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } }
  })
  t.strictSame(container.securityContext, {
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] }
  })
  t.notMatch(read('deployment.yaml'), 'secretKeyRef', 'secrets are files')
})

t.test('every selector selects the pods of the deployment', async t => {
  const labels = deployment.spec.template.metadata.labels
  const documents = ['service.yaml', 'poddisruptionbudget.yaml', 'networkpolicy.yaml'].flatMap(name =>
    parseAllDocuments(read(name)).map(document => document.toJS())
  )
  const selectors = documents.map(
    ({ spec }) => spec.podSelector?.matchLabels ?? spec.selector.matchLabels ?? spec.selector
  )

  t.equal(selectors.length, 4)
  for (const selector of [...selectors, deployment.spec.selector.matchLabels]) t.strictSame(selector, labels)
})

t.test('the ServiceMonitor finds the Service of the admin port, under the name that alerts know', async t => {
  const [, service] = parseAllDocuments(read('service.yaml')).map(document => document.toJS())
  const { spec } = parse(read('servicemonitor.yaml'))

  t.match(service.metadata.labels, spec.selector.matchLabels)
  t.equal(spec.endpoints[0].port, service.spec.ports[0].name)
  t.equal(service.metadata.labels[spec.jobLabel], 'thread-reply-bff')
  t.equal(service.spec.publishNotReadyAddresses, true)
})
