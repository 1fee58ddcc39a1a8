// A process that starts with DATA_DIR as its argument, and says which secret it has.
import { loadConfig } from '../../src/config/load-config.ts'
import { prepareDataDirectory } from '../../src/parts/data-directory.ts'

const env = {
  COMETCHAT_BASE_URL: 'http://127.0.0.1:4000',
  COMETCHAT_API_KEY: 'api-key-1',
  AUTH_JWT_ISSUER: 'https://issuer.test',
  AUTH_JWT_AUDIENCE: 'replies',
  DATA_DIR: process.argv[2] ?? ''
}
const { config } = prepareDataDirectory(
  loadConfig(env, () => ''),
  () => ({ kind: 'local', name: 'local' })
)
process.send?.(config.delivery.secret?.reveal(), () => process.disconnect())
