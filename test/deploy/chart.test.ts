// The Helm chart renders deploy/kubernetes, to the letter, and what its values say.
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { renderTemplate, type Values } from './chart-template.ts'

const CHART = new URL('../../deploy/helm/thread-reply-bff/', import.meta.url)
const MANIFESTS = new URL('../../deploy/kubernetes/', import.meta.url)
const read = (path: string, base: URL): string => readFileSync(new URL(path, base), 'utf8')
const values = parse(read('values.yaml', CHART)) as Values
const templates = readdirSync(new URL('templates/', CHART)).sort()

const render = (name: string, changed: Values = values, release = 'thread-reply-bff'): string =>
  renderTemplate(read(`templates/${name}`, CHART), { Values: changed, Release: { Name: release } })

t.test('every manifest has a template, and every template a manifest', async t => {
  t.strictSame(
    templates,
    readdirSync(MANIFESTS)
      .filter(name => name !== 'kustomization.yaml')
      .sort()
  )
})

t.test('with its own values the chart renders the manifests, to the letter', async t => {
  const withMonitor = { ...values, serviceMonitor: { enabled: true } }

  for (const name of templates) t.equal(render(name, withMonitor), read(name, MANIFESTS), name)
  t.equal(render('servicemonitor.yaml').trim(), '', 'without the Prometheus operator there is no ServiceMonitor')
})

t.test('what the values say is in what is rendered', async t => {
  const changed = {
    ...values,
    image: 'registry.example.com/other@sha256:abc',
    replicas: 5,
    config: { UID_MODE: 'lower', LOG_LEVEL: 'warn "x"' },
    secrets: { AUTH_JWT_SECRET: 'jwt' },
    secretName: 'replies',
    terminationGracePeriodSeconds: 90,
    networkPolicy: { ingressNamespace: 'edge', monitoringNamespace: 'watch', storePort: 5432 }
  }
  const deployment = parse(render('deployment.yaml', changed, 'staging'))
  const { spec } = deployment.spec.template

  t.equal(deployment.metadata.name, 'staging')
  t.equal(deployment.spec.replicas, 5)
  t.equal(spec.containers[0].image, 'registry.example.com/other@sha256:abc')
  t.equal(spec.terminationGracePeriodSeconds, 90)
  t.equal(spec.volumes[0].secret.secretName, 'replies')
  t.same(spec.containers[0].env.at(-1), { name: 'AUTH_JWT_SECRET_FILE', value: '/run/secrets/thread-reply-bff/jwt' })
  t.same(parse(render('configmap.yaml', changed)).data, { LOG_LEVEL: 'warn "x"', UID_MODE: 'lower' })
  t.match(render('networkpolicy.yaml', changed), /name: edge[\s\S]*name: watch[\s\S]*port: 5432/)
  for (const document of parseAllDocuments(render('service.yaml', changed, 'staging')))
    t.equal(document.toJS().spec.selector['app.kubernetes.io/instance'], 'staging')
})

t.test('the chart has the version of the service', async t => {
  const { version } = JSON.parse(read('package.json', new URL('../../', import.meta.url)))
  const chart = parse(read('Chart.yaml', CHART))

  t.same([chart.version, chart.appVersion], [version, version])
  t.ok(String(values['image']).endsWith(`:${version}`))
})

t.test('what Helm could do and the chart does not is refused, not passed over', async t => {
  for (const text of ['{{ include "a" . }}', '{{ .Values.a | default 1 }}', '{{ .Values.missing }}', '{{ end }}'])
    t.throws(() => renderTemplate(text, { Values: {} }), text)
})
