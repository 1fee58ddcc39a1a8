/** What becomes of the store while instances and CometChat fail. */
export interface StoreWeather {
  /** As each instance is told them. */
  readonly urls: readonly string[]
  readonly kills: number
  /** Whether another server took its place that had not received everything. */
  readonly hasFailedOver: boolean
  /** Until it is calm. */
  blow(seconds: number, random: () => number, calm: AbortSignal): Promise<void>
  end(): Promise<void>
}
