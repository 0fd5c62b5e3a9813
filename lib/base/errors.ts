/** Bad input or a missing prerequisite: one clear sentence, exit status 2, nothing was touched. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}

/** A layer below is not up, so what stands on it was not looked at. */
export class BlockedError extends Error {
  override name = 'BlockedError';
  readonly layer: string;

  constructor(layer: string, reason: string) {
    super(`Layer ${layer} is not up, so this claim was not looked at: ${reason}`);
    this.layer = layer;
  }
}

/** The lab lacks something that is asked of it, so a claim that asks does not apply to it. */
export class LackingError extends Error {
  override name = 'LackingError';
  readonly feature: string;

  constructor(feature: string, why: string) {
    super(`Needs ${feature}: ${why}`);
    this.feature = feature;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
