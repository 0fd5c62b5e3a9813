import type { Lab } from './lab.ts';
import type { LayerName } from './layer.ts';

const folder = '/run/conformance';

/**
 * Notes on the VM that a layer was built in this boot: the note is in memory, so it is gone when the machine was
 * started again, and with it all else that a layer needs there (the token, the server that was started for the lab).
 */
export async function builtInThisBoot({ vm }: Pick<Lab, 'vm'>, layer: LayerName): Promise<void> {
  await vm.write(`${folder}/${layer}`, '');
}

/** @throws Error when the VM was started again since the layer was built */
export async function sameBoot({ vm }: Pick<Lab, 'vm'>, layer: LayerName): Promise<void> {
  const { code } = await vm.attempt(['test', '-e', `${folder}/${layer}`]);
  if (code !== 0) throw new Error(`the VM was started again since layer ${layer} was built on it`);
}
