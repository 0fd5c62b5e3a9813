import type { Change } from '#lib/kube/manifest.ts';
import type { Lasting } from '#lib/layers/lasting.ts';
import type { StandIn } from './stand-in.ts';
import { standing } from './standing.ts';

/** A lasting situation for each lab that stands in. What was never made on it cannot be undone either. */
export function perLab<C extends Change>(make: () => Lasting<C>): Lasting<C> {
  const made = new Map<StandIn, Lasting<C>>();
  const here = (): Lasting<C> => {
    const lasting = made.get(standing()) ?? make();
    made.set(standing(), lasting);
    return lasting;
  };
  return {
    given: async (lab) => here().given(lab),
    now: () => here().now(),
    end: async () => {
      await Promise.allSettled([...made.values()].map(async (one) => one.end()));
    },
  };
}
