import { attempt } from '#lib/base/command.ts';
import type { Place } from './places.ts';

/** A host of the lab's network that is neither node, pod nor VM. */
export const bystander = (lab: { readonly network: readonly string[] }): Place => ({
  name: 'a bystander on the network of the lab',
  attempt: async (words, options) => attempt([...lab.network, ...words], options),
});
