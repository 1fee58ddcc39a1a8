import { randomUUID } from 'node:crypto'
import SerializerSelector from '@fastify/fast-json-stringify-compiler'
import type { FastifyInstance, FastifyReply, onSendHookHandler } from 'fastify'
import { invalid } from '../framework-errors.ts'
import { MAX_BODY_BYTES } from '../memory/read-body.ts'

type ReplySerializer = Parameters<FastifyInstance['setReplySerializer']>[0]

/** The longest that a timer of Node can be, some 25 days. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Takes back for a scope what a host's app does for all of its routes, before they have any: how answers are serialised,
 * what is said of a schema that is broken, how large a body may be, and how long a handler takes, which here has a
 * deadline of its own and knows what became of its reply then.
 */
export function forgetHostWays(app: FastifyInstance): void {
  const compile = SerializerSelector()({}, {})
  app.setSerializerCompiler(({ schema, method, url, httpStatus = '' }) => compile({ schema, method, url, httpStatus }))
  // What Fastify has before anybody sets one.
  app.setReplySerializer(undefined as unknown as ReplySerializer)
  app.setSchemaErrorFormatter(findings => invalid(findings))
  // Shown since Fastify has it, and not in its types.
  const handlerTimeout = 'handlerTimeout' in app.initialConfig ? Number(app.initialConfig.handlerTimeout) : 0
  app.addHook('onRoute', route => {
    route.bodyLimit ??= MAX_BODY_BYTES
    if (handlerTimeout > 0) route.handlerTimeout ??= MAX_TIMER_MS
  })
}

/** As good as none, should it ever leave (RFC 9110 §12.5.3): a single one `compress` would take for none. */
const ENCODING = 'identity, identity'
/** Nobody knows it: it never leaves. */
const TAG = `"${randomUUID()}"`

/**
 * Keeps hooks of a host's app from encoding an answer, or from answering 304 in its place: what it holds is looked at
 * once more, and what it says of a reply has to arrive. They leave alone what has an encoding and a tag already.
 */
export function holdAnswer(response: FastifyReply): void {
  response.header('content-encoding', ENCODING).header('etag', TAG)
}

/** To be called behind them. */
export function releaseAnswer(response: FastifyReply): void {
  if (response.getHeader('content-encoding') === ENCODING) response.removeHeader('content-encoding')
  if (response.getHeader('etag') === TAG) response.removeHeader('etag')
}

/** Adds what looks at every answer of a scope last: a host's app may have hooks of its own at each route, as `compress` has. */
export function addBehindHost(app: FastifyInstance, onSend: onSendHookHandler): void {
  app.addHook('onRoute', route => {
    route.onSend = [route.onSend ?? [], onSend].flat()
  })
  app.addHook('onSend', function (request, response, payload, done) {
    // Where there is no route there are no hooks at one.
    if (request.is404) onSend.call(this, request, response, payload, done)
    else done(null, payload)
  })
}
