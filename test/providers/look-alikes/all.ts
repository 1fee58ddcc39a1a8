import type { LookAlike } from '../look-alike.ts'
import { HOSTED } from './hosted.ts'
import { ORGANISATIONS } from './organisations.ts'
import { OWN_TOKENS } from './own-tokens.ts'
import { SELF_HOSTED } from './self-hosted.ts'

/** Every provider that docs/authentication.md has settings for, but those that are tried with their real package. */
export const LOOK_ALIKES: readonly LookAlike[] = [...HOSTED, ...ORGANISATIONS, ...SELF_HOSTED, ...OWN_TOKENS]
