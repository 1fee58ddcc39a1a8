import { type TSchema, Type } from '@sinclair/typebox'
import { CallbackQuery, LoggedIn, LoggedOut, LoggedOutQuery, LoginQuery, LogoutToken } from '../../login/schemas.ts'
import type { Operation } from './operation.ts'
import { ANYWHERE } from './operations.ts'

const PAGE: { readonly schema: TSchema; readonly mediaType: string; readonly examples: Record<string, string> } = {
  schema: Type.String({ description: 'A page.' }),
  mediaType: 'text/html',
  examples: { page: '<!doctype html><html lang="en"><head><title>Signed in</title></head><body></body></html>' }
}
const SIGN_IN = { tag: 'Sign-in', always: ['Referrer-Policy'], hasPages: true } as const
const COMMON = ['X-Request-Id', 'traceparent'] as const
const PROBLEMS = [...ANYWHERE, 'not-found', 'store-unavailable'] as const

/** The sign-in of this service's own, where `AUTH_LOGIN_ISSUER` names a provider. */
export const LOGIN_OPERATIONS: readonly Operation[] = [
  {
    ...SIGN_IN,
    method: 'get',
    url: '/auth/login',
    operation: 'begin-login',
    summary: 'Begin a sign-in',
    description: 'A browser goes here, and on to the provider.',
    security: 'none',
    query: LoginQuery,
    headers: COMMON,
    answers: { 303: { description: 'On to the provider.', headers: ['Location', 'Set-Cookie'] } },
    problems: [...PROBLEMS, 'identity-provider-unavailable']
  },
  {
    ...SIGN_IN,
    method: 'get',
    url: '/auth/callback',
    always: [...SIGN_IN.always, 'Set-Cookie'],
    operation: 'finish-login',
    summary: 'Finish a sign-in',
    description: 'The provider sends the browser here.',
    security: 'none',
    query: CallbackQuery,
    headers: COMMON,
    answers: {
      200: {
        description: 'Signed in: the page goes on at `return_to`.',
        headers: ['Content-Security-Policy', 'X-Frame-Options'],
        body: PAGE
      }
    },
    problems: [...PROBLEMS, 'unauthenticated', 'forbidden', 'csrf', 'identity-provider-unavailable']
  },
  {
    ...SIGN_IN,
    method: 'post',
    url: '/auth/logout',
    operation: 'log-out',
    summary: 'Sign out',
    description: 'Ends the session; needs proof of origin. A form is redirected, a program is told where to go.',
    security: 'none',
    query: LoginQuery,
    headers: ['X-CSRF', ...COMMON],
    answers: {
      200: {
        description: 'Signed out.',
        headers: ['Set-Cookie'],
        body: { schema: LoggedOut, examples: { 'signed out': { continueAt: 'https://replies.example.com/' } } }
      },
      303: { description: 'Signed out: on to where a browser goes.', headers: ['Location', 'Set-Cookie'] }
    },
    problems: [...PROBLEMS, 'csrf', 'payload-too-large', 'unsupported-media-type']
  },
  {
    ...SIGN_IN,
    method: 'get',
    url: '/auth/logged-out',
    operation: 'show-logged-out',
    summary: 'Come back from the sign-out of the provider',
    description: 'The provider sends the browser here.',
    security: 'none',
    query: LoggedOutQuery,
    headers: COMMON,
    answers: { 303: { description: 'On to the path, or to `/`.', headers: ['Location'] } },
    problems: [...ANYWHERE, 'not-found']
  },
  {
    ...SIGN_IN,
    method: 'get',
    url: '/auth/me',
    operation: 'show-caller',
    summary: 'Who signed in',
    description: 'For the cookie of this sign-in alone; `/me` knows every kind of caller.',
    security: 'login',
    headers: COMMON,
    answers: {
      200: {
        description: 'Who signed in.',
        body: { schema: LoggedIn, examples: { 'signed in': { sub: 'alice', uid: 'alice', name: 'Alice' } } }
      }
    },
    problems: [
      ...PROBLEMS,
      'ambiguous-credentials',
      'unauthenticated',
      'identity-unmappable',
      'identity-provider-unavailable'
    ]
  },
  {
    ...SIGN_IN,
    method: 'post',
    url: '/auth/backchannel-logout',
    operation: 'end-sessions',
    summary: 'End the sessions that the provider ended',
    description: 'The provider calls it.',
    security: 'none',
    headers: COMMON,
    body: {
      schema: LogoutToken,
      mediaType: 'application/x-www-form-urlencoded',
      examples: { token: { logout_token: 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln' } }
    },
    answers: { 200: { description: 'They have ended.' } },
    problems: [...PROBLEMS, 'identity-provider-unavailable', 'payload-too-large', 'unsupported-media-type']
  }
]

/** The document itself, where `OPENAPI=on`. */
export const DOCUMENT_OPERATION: Operation = {
  method: 'get',
  url: '/openapi.json',
  operation: 'show-document',
  tag: 'Document',
  summary: 'This document',
  description: 'Where `OPENAPI=on`.',
  security: 'none',
  headers: ['If-None-Match', ...COMMON],
  answers: {
    200: {
      description: 'The document.',
      headers: ['ETag', 'Access-Control-Allow-Origin'],
      body: { schema: Type.Object({}, { additionalProperties: true }), examples: { document: { openapi: '3.1.1' } } }
    },
    304: { description: 'It is the one that is known.', headers: ['ETag', 'Access-Control-Allow-Origin'] }
  },
  problems: [...ANYWHERE, 'not-found', 'method-not-allowed']
}
