// The end of an instance in numbers: after DRAIN_DELAY_MS come REPLY_DEADLINE_MS and the margin, then everything is closed.

/** What a drain takes beyond the delay and one reply. */
export const DRAIN_MARGIN_MS = 2000
/** What closing stores and connections may take after that. */
export const CLOSING_MS = 3000
/** Kubernetes kills after 30 s unless it is told otherwise; the rest is for closing stores. */
export const LONGEST_DRAIN_MS = 28_000
