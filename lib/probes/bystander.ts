import { attempt } from '#lib/base/command.ts';
import { enterLab, type LocalLab } from '#lib/machines/local/lab.ts';
import type { Place } from './places.ts';

/** A host of the lab's network that is neither node, pod nor VM. */
export const bystander = ({ local }: { readonly local: LocalLab }): Place => ({
  name: 'a bystander on the network of the lab',
  attempt: async (words, options) => attempt([...enterLab(local), ...words], options),
});
