/** One row of the table of variables; README.md shows it word for word. */
interface VariableRow {
  readonly names: readonly string[]
  /** Those that can also come from a file, as `<NAME>_FILE`. */
  readonly secrets?: readonly string[]
  readonly byDefault: string
  readonly meaning: string
}

const ROWS = [
  {
    names: ['HOST', 'PORT'],
    byDefault: '`127.0.0.1`, `3000`',
    meaning: 'where replies are served (the image sets `0.0.0.0`)'
  },
  {
    names: ['ADMIN_HOST', 'ADMIN_PORT'],
    byDefault: '`127.0.0.1`, `3001`',
    meaning: '`/livez`, `/readyz?verbose` and `/metrics`'
  },
  {
    names: ['WEB_CONCURRENCY'],
    byDefault: '`1`',
    meaning:
      'how many worker processes share the public port, up to 64; more than one needs a `STORE_URL` they can share: not `memory:`'
  },
  {
    names: ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'],
    byDefault: 'none',
    meaning:
      'the proxy that calls go out through, by CONNECT, CometChat included; names, addresses and CIDR blocks without it. Loopback never; in small letters, too'
  },
  {
    names: ['BUILD_COMMIT'],
    byDefault: '`unknown`',
    meaning: 'the commit that the image was built from, for `build_info` of `/metrics`'
  },
  { names: ['LOG_LEVEL'], byDefault: '`info`', meaning: '`trace` … `fatal`, `silent`' },
  { names: ['INSTANCE_NAME'], byDefault: 'the host name', meaning: 'what `instance` says in every line of the log' },
  {
    names: ['TRUST_PROXY'],
    byDefault: 'none',
    meaning:
      "addresses or CIDR blocks of proxies in front, comma-separated: their `X-Forwarded-For`, `-Host` and `-Proto` count; the questions about opaque tokens are shared by the client's address"
  },
  {
    names: ['CORS_ORIGINS'],
    byDefault: 'none',
    meaning:
      'exact origins whose pages may call and read answers, comma-separated: `https://app.example.com`, `capacitor://localhost`, on a LAN `http://192.168.1.20:5173`'
  },
  {
    names: ['CORS_HEADERS'],
    byDefault: 'none',
    meaning: 'request headers that such pages may send beside those that are known here, comma-separated'
  },
  {
    names: ['OPENAPI'],
    byDefault: '`off`',
    meaning:
      '`on` serves the OpenAPI document ([docs/http.md](docs/http.md)) at `/openapi.json`, to anybody; nothing of the instance is in it'
  },
  {
    names: ['KEEP_ALIVE_TIMEOUT_MS'],
    byDefault: '`72000`',
    meaning: 'how long an idle connection is kept: longer than the balancer in front keeps it, or it meets closed ones'
  },
  {
    names: ['MAX_CONNECTIONS'],
    byDefault: '`10000`',
    meaning:
      'connections of callers to one process, idle ones included; one address has at most an eighth of them, save those of `TRUST_PROXY` and loopback'
  },
  {
    names: ['IGNORED_HEADERS'],
    byDefault: 'none',
    meaning:
      'headers that a gateway in front adds and that would be refused, such as `apikey`, comma-separated: they are taken out before anything looks'
  },
  {
    names: ['COMETCHAT_APP_ID', 'COMETCHAT_REGION'],
    byDefault: '–',
    meaning: 'of your app; the region is `us`, `eu` or `in`'
  },
  {
    names: ['COMETCHAT_API_KEY'],
    secrets: ['COMETCHAT_API_KEY'],
    byDefault: '–',
    meaning: 'the REST API key, or two during a rotation; a file is watched'
  },
  {
    names: ['COMETCHAT_BASE_URL'],
    byDefault: 'derived',
    meaning: 'another origin: https, or http on loopback; then app id and region are optional'
  },
  {
    names: ['COMETCHAT_CATEGORIES'],
    byDefault: '`message,custom`',
    meaning: 'which categories a reply may have; `interactive` and `card` are documented for `/messages` only'
  },
  {
    names: ['COMETCHAT_TOKENS'],
    byDefault: '`off`',
    meaning:
      "`on` gives each sign-in an auth token for CometChat's SDK, which the UI Kits need and which does not expire ([docs](docs/with-the-ui-kit.md)); needs app id and region"
  },
  {
    names: ['AUTH_JWT_ISSUER', 'AUTH_JWT_AUDIENCE'],
    byDefault: '–',
    meaning:
      'the exact `iss` of the tokens, and what their `aud` may be, comma-separated; no audience where `AUTH_JWT_CLAIMS` demands a value, or `unchecked`'
  },
  {
    names: ['AUTH_JWT_CLAIMS'],
    byDefault: 'none',
    meaning: 'what other claims must be and must not be: `client_id=abc,token_use=access,!sts=pending`'
  },
  { names: ['AUTH_JWT_JWKS_URL'], byDefault: 'discovery', meaning: 'the key set of the issuer' },
  {
    names: ['AUTH_JWT_KEY_FILE'],
    byDefault: '–',
    meaning: 'public keys in place of a key set: PEM, certificate, JWK or JWK set; watched'
  },
  {
    names: ['AUTH_JWT_ALGORITHMS'],
    byDefault: 'every asymmetric one',
    meaning: 'fewer of them; for a secret `HS256`, or `HS384` and `HS512`'
  },
  {
    names: ['AUTH_JWT_SECRET'],
    secrets: ['AUTH_JWT_SECRET'],
    byDefault: '–',
    meaning:
      'instead of a key set: one or several, comma-separated, of at least 32 bytes; issuer and audience may then be left out; a file is watched'
  },
  { names: ['AUTH_JWT_TYP'], byDefault: 'any', meaning: 'required `typ`, such as `at+jwt`' },
  { names: ['AUTH_JWT_SCOPE'], byDefault: 'none', meaning: 'a scope every token must have' },
  {
    names: ['AUTH_JWT_HEADER', 'AUTH_JWT_COOKIE'],
    byDefault: '–',
    meaning:
      'further places of a token, such as `x-goog-iap-jwt-assertion` or `__session`; a call with one needs proof of its origin, as with a session cookie'
  },
  {
    names: ['AUTH_ACT_SCOPE'],
    byDefault: 'none',
    meaning: 'a scope that lets a service name its user in `X-Acting-For`'
  },
  {
    names: ['AUTH_EXPLAIN_SCOPE'],
    byDefault: 'none',
    meaning:
      'a scope that lets an operator ask with `Prefer: handling=explain` what would become of a reply; nothing is sent'
  },
  {
    names: ['AUTH_SDK_TOKEN_SCOPE'],
    byDefault: 'none',
    meaning:
      "a scope that lets a service that acts for a user have tokens of CometChat's SDK for them, with `COMETCHAT_TOKENS=on`; none may without it"
  },
  {
    names: ['AUTH_ISSUERS_FILE'],
    byDefault: '–',
    meaning: 'several issuers in place of the one that these variables describe: JSON, watched'
  },
  {
    names: ['AUTH_HTTP_HOSTS'],
    byDefault: 'none',
    meaning: 'hosts that may be asked about users over plain http, such as `keycloak:8080`, comma-separated'
  },
  {
    names: ['AUTH_INTROSPECTION_URL'],
    byDefault: '–',
    meaning: 'where the issuer is asked about opaque tokens (RFC 7662)'
  },
  {
    names: ['AUTH_INTROSPECTION_CLIENT_ID', 'AUTH_INTROSPECTION_CLIENT_SECRET'],
    secrets: ['AUTH_INTROSPECTION_CLIENT_SECRET'],
    byDefault: '–',
    meaning: 'as which client it is asked'
  },
  {
    names: ['AUTH_INTROSPECTION_TOKEN'],
    secrets: ['AUTH_INTROSPECTION_TOKEN'],
    byDefault: '–',
    meaning: 'a bearer token to ask with, in place of client id and secret'
  },
  {
    names: ['AUTH_INTROSPECTION_TOKENS'],
    byDefault: '`opaque`',
    meaning: '`all` asks about JWTs too, and reads no keys'
  },
  {
    names: ['AUTH_LOGIN_ISSUER', 'AUTH_LOGIN_CLIENT_ID', 'AUTH_LOGIN_CLIENT_SECRET'],
    secrets: ['AUTH_LOGIN_CLIENT_SECRET'],
    byDefault: '–',
    meaning: 'a sign-in of its own: the OpenID provider, and this service as its client'
  },
  { names: ['AUTH_LOGIN_URL'], byDefault: '–', meaning: 'the origin of this service as browsers see it' },
  { names: ['AUTH_LOGIN_SCOPE'], byDefault: '`openid profile`', meaning: 'what the provider is asked for' },
  {
    names: ['AUTH_LOGIN_IDLE_MS', 'AUTH_LOGIN_ABSOLUTE_MS'],
    byDefault: '`1800000`, `43200000`',
    meaning: 'a session ends after so long without a call, and after so long in any case'
  },
  {
    names: ['AUTH_SESSION_STORE_URL', 'AUTH_SESSION_SECRET'],
    secrets: ['AUTH_SESSION_STORE_URL', 'AUTH_SESSION_SECRET'],
    byDefault: '–',
    meaning:
      'the sessions of your own backend: a Redis in one of the forms of `STORE_URL`, and one or several secrets that sign its cookie'
  },
  {
    names: ['AUTH_SESSION_COOKIE'],
    byDefault: '`connect.sid`',
    meaning: "its name; beside a bearer token it is a second credential: refused. Not a name of the login's own cookies"
  },
  {
    names: ['AUTH_SESSION_PREFIX', 'AUTH_SESSION_USER'],
    byDefault: '`sess:`, `user.id`',
    meaning: 'where a session is in Redis, and where the user is in a session'
  },
  {
    names: ['AUTH_SESSION_ISSUER'],
    byDefault: '`AUTH_JWT_ISSUER`, or `urn:app-session`',
    meaning: 'whose users they are'
  },
  {
    names: ['UID_CLAIM', 'UID_MODE', 'UID_PREFIX'],
    byDefault: '`sub`, `verbatim`, none',
    meaning:
      'a name, or a path with dots; `hash` makes `<prefix><base32 of SHA-256(issuer, claim)>`, `lower` lower-cases as CometChat does, `table` asks the app'
  },
  {
    names: ['UID_STRIP', 'UID_ISSUER'],
    byDefault: 'none, the issuer',
    meaning:
      'a prefix of every claim, such as `auth0\\|`, that is taken away first; whose users they are, where an issuer has several addresses: set before the first user or never'
  },
  {
    names: ['UID_TABLE_URL', 'UID_TABLE_TOKEN'],
    secrets: ['UID_TABLE_TOKEN'],
    byDefault: '–',
    meaning: 'for `table`: `file:PATH`, or an https URL with `{subject}` and a bearer token for it'
  },
  { names: ['UID_CREATE'], byDefault: '`off`', meaning: '`on` creates a CometChat user for a caller without one' },
  {
    names: ['STORE_URL'],
    secrets: ['STORE_URL'],
    byDefault: '`file:` in `DATA_DIR`',
    meaning:
      'delivery records: `file:PATH`; `redis(s)://…`, `redis+sentinel://HOST,HOST/MASTER`, `redis+cluster://HOST,HOST` or ' +
      '`postgres://…` for several instances; or `memory:` to forget them'
  },
  {
    names: ['STORE_SCHEMA', 'STORE_FAILOVER'],
    byDefault: '`thread_reply_bff`, `detect`',
    meaning:
      'of a Postgres: the schema of the tables, made at the first start; of a Postgres or Redis: `lossless` says that no failover of it loses what was committed or confirmed'
  },
  {
    names: ['STORE_WAIT_REPLICAS'],
    byDefault: '`0`',
    meaning:
      'of a Redis: how many replicas have to confirm a record before its reply is sent ([docs](docs/delivery.md#for-those-who-run-it))'
  },
  {
    names: ['STORE_SECRET'],
    secrets: ['STORE_SECRET'],
    byDefault: 'made in `DATA_DIR`, random for `memory:`',
    meaning:
      'names records and markers, at least 32 bytes; needed with a `STORE_URL` that keeps them; all instances share it'
  },
  {
    names: ['DATA_DIR'],
    byDefault: '`./data` (`/data` in the image)',
    meaning: 'without `STORE_URL`: the directory of the records and of their secret, on a disk of this machine'
  },
  {
    names: ['AUDIT_FILE', 'AUDIT_SECRET'],
    secrets: ['AUDIT_SECRET'],
    byDefault: '–',
    meaning:
      'who replied as whom, a line each, and the secret of at least 32 bytes that seals the lines ([docs](docs/audit.md))'
  },
  {
    names: ['AUDIT'],
    byDefault: '`on` with `AUDIT_FILE`',
    meaning: '`strict` sends no reply whose intent is not on the disk; `off`'
  },
  { names: ['IDEMPOTENCY_KEY'], byDefault: '`optional`', meaning: 'or `required`' },
  { names: ['DELIVERY_MARKER'], byDefault: '`on`', meaning: '`off` also switches reconciliation off' },
  { names: ['REPLY_DEADLINE_MS'], byDefault: '`10000`', meaning: 'the longest a reply may take' },
  { names: ['SETTLE_MS'], byDefault: '`3500`', meaning: 'how long "no access" to a fresh message is retried' },
  { names: ['QUIET_PERIOD_MS'], byDefault: '`120000`', meaning: 'how long an absent reply may still turn up' },
  {
    names: ['MULTIPLE_RECEIVERS_MAX'],
    byDefault: '`25`',
    meaning: '`0` refuses `multipleReceivers`; fewer where `LIMIT_USER_PER_MINUTE` is smaller'
  },
  {
    names: ['LIMIT_MODE'],
    byDefault: '`enforce`',
    meaning: '`observe` only counts what the limits below would refuse, `off` does not even count'
  },
  {
    names: ['LIMIT_USER_PER_MINUTE', 'LIMIT_APP_PER_MINUTE'],
    byDefault: '`30`, `20000`',
    meaning:
      'messages of a user and operations of the app in any minute, as your CometChat plan has them (free: `500`); `0` is none of ours'
  },
  {
    names: ['LIMIT_USER_SHARE'],
    byDefault: '`25`',
    meaning: 'percent of the app that one user, or one service that acts for users, can take'
  },
  {
    names: ['LIMIT_FAILURES_PER_MINUTE', 'LIMIT_ADDRESS_PER_MINUTE'],
    byDefault: '`120`, `6000`',
    meaning:
      'failed requests of an address before only tokens that are good without asking get in, and requests of an address'
  },
  {
    names: ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
    byDefault: '–',
    meaning:
      'the receiver of spans by OTLP over http, such as `http://localhost:4318`; the second one as it is, without `/v1/traces` behind it. Without either no traces ([docs](docs/traces.md))'
  },
  {
    names: ['OTEL_EXPORTER_OTLP_HEADERS'],
    secrets: ['OTEL_EXPORTER_OTLP_HEADERS'],
    byDefault: 'none',
    meaning: 'headers for the receiver, `name=value` with commas between them, percent-encoded: credentials'
  },
  {
    names: ['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_COMPRESSION', 'OTEL_EXPORTER_OTLP_TIMEOUT'],
    byDefault: '`http/json`, `none`, `10000`',
    meaning: 'no other protocol is spoken, and `grpc` is refused; or `gzip`; milliseconds that the receiver may take'
  },
  {
    names: ['OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG'],
    byDefault: '`parentbased_always_on`, `1`',
    meaning:
      '`always_on`, `always_off`, `traceidratio` and the same with `parentbased_` before it; the ratio from 0 to 1'
  },
  {
    names: ['OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES'],
    byDefault: '`thread-reply-bff`, none',
    meaning: 'what spans say of this service, `name=value` with commas between them'
  },
  {
    names: ['OTEL_SDK_DISABLED'],
    byDefault: '`false`',
    meaning: '`true`: no traces, whatever else is set'
  },
  {
    names: ['TRACE_TRUST'],
    byDefault: '`link`',
    meaning:
      "`parent` continues the trace of a caller, who then decides what is sampled; `link` begins one and names the caller's"
  },
  { names: ['DRAIN_DELAY_MS'], byDefault: '`5000`', meaning: 'between `/readyz` saying no and the listener closing' }
] as const satisfies readonly VariableRow[]

/** Every variable that this service reads; the table in README.md, .env.example and the readers are held against it. */
export const VARIABLE_ROWS: readonly VariableRow[] = ROWS

type Row = (typeof ROWS)[number]
type SecretName = Extract<Row, { secrets: readonly string[] }>['secrets'][number]

/** The name of one of them, or of a file that a secret is in. */
export type VariableName = Row['names'][number] | `${SecretName}_FILE`

/** The names of all of them, files of secrets included. */
export const VARIABLES: readonly string[] = VARIABLE_ROWS.flatMap(({ names, secrets = [] }) =>
  names.flatMap(name => (secrets.includes(name) ? [name, `${name}_FILE`] : [name]))
)
