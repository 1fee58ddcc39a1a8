/**
 * `__Host-` keeps sub-domains and other ports from planting the cookies of the sign-in; browsers that know `__Host-Http-` also keep
 * scripts from doing it (RFC 10017 §6.1.3.2, RFC 6265bis).
 */
export const SESSION_COOKIE = '__Host-Http-session'
export const LOGIN_COOKIE = '__Host-Http-login'
