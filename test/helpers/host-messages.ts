/** To the process that hosts services. */
export type HostOrder =
  | { readonly order: 'start'; readonly id: number; readonly env: Readonly<Record<string, string>> }
  | { readonly order: 'end'; readonly id: number }

/** From it: a line of a service's log, and that it answers no more. */
export type HostReport =
  | { readonly report: 'line'; readonly id: number; readonly line: string }
  | { readonly report: 'ended'; readonly id: number; readonly reason: string }
