const DECIDING =
  /^(authorization|cookie2?|host|origin|referer|forwarded|via|connection|keep-alive|te|trailer|upgrade|expect|prefer|date|range|accept(-.*)?|content-.*|transfer-.*|proxy-.*|sec-.*|access-control-.*|if-.*|x-csrf|x-acting-for|x-signed-in-as|x-request-id|x-forwarded-(for|host|proto|port)|traceparent|tracestate|idempotency-key|user-agent)$/
const RESERVED = /^(apikey|onbehalfof|appid|authtoken)$/

/** Whether a header means something of its own here, or to every HTTP server; a proxy may write `_` for `-`. */
export function decides(name: string): boolean {
  return DECIDING.test(name.replaceAll('_', '-'))
}

/** Whether no request may have such a header, because it would name an identity or a secret. */
export function isReserved(name: string): boolean {
  return RESERVED.test(name.replaceAll(/[-_]/g, ''))
}
