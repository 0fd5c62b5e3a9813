/**
 * When a duration is said to have changed: by this ratio at least, and by this much at least.
 *
 * In 14 full runs of one version on one machine of two cores, compared in all 91 pairs, no claim differed by both. The
 * machine alone makes a claim up to 1.6 times as slow, and what waits for a probe or a back-off of the agent took up to
 * 15 s longer by chance.
 */
export const noise = { ratio: 2, floorMs: 20_000 } as const;

/** Whether two durations of the same thing, in milliseconds, differ by more than chance. */
export function beyondNoise(fromMs: number, toMs: number): boolean {
  const [less, more] = fromMs < toMs ? [fromMs, toMs] : [toMs, fromMs];
  return more - less >= noise.floorMs && more >= less * noise.ratio;
}
