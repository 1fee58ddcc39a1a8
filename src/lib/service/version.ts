import manifest from '../../../package.json' with { type: 'json' }

/** Of this service, as package.json says it. */
export const VERSION: string = manifest.version
