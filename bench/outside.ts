// Everything outside of the measured program, in one process: its callers and its CometChat.
import { answerParent } from './child.ts'
import { loadHandlers } from './load.ts'
import { startUpstream, upstreamHandlers } from './upstream.ts'

answerParent(await startUpstream(), { ...upstreamHandlers, ...loadHandlers })
