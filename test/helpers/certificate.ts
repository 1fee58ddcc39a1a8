// Just enough ASN.1 (ITU-T X.690, RFC 5280) for a self-signed certificate, so that no private key lies in the repository.
import { generateKeyPairSync, sign } from 'node:crypto'

export interface Certificate {
  readonly cert: string
  readonly key: string
}

const ECDSA_WITH_SHA256 = '2a8648ce3d040302'
const COMMON_NAME = '550403'
const SUBJECT_ALTERNATIVE_NAME = '551d11'
const BASIC_CONSTRAINTS = '551d13'
const VALID_FROM = '200101000000Z'
const VALID_UNTIL = '491231235959Z'

/** A new certificate for one DNS name, and its key, both as PEM; it can be its own certificate authority. */
export function selfSigned(name: string): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(oid(ECDSA_WITH_SHA256))
  const subject = sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(name)))))
  const validity = sequence(der(0x17, Buffer.from(VALID_FROM)), der(0x17, Buffer.from(VALID_UNTIL)))
  const names = extension(SUBJECT_ALTERNATIVE_NAME, sequence(der(0x82, Buffer.from(name))))
  const authority = extension(BASIC_CONSTRAINTS, sequence(der(0x01, Buffer.from([0xff]))))
  const certified = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    subject,
    validity,
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(names, authority))
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', certified, privateKey))
  const base64 = sequence(certified, algorithm, signature).toString('base64')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  }
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents)
  // The shortest length is the only one: browsers refuse any other.
  const long = body.length > 0xff ? [0x82, body.length >> 8, body.length & 0xff] : [0x81, body.length]
  return Buffer.concat([Buffer.from([tag, ...(body.length < 0x80 ? [body.length] : long)]), body])
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return der(0x30, ...contents)
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value))
}
