import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

const folder = '/etc/systemd/system/istio.service.d';

/**
 * Changes the istio unit on the VM by a drop-in; the undo takes it away.
 *
 * @param setting one line of the section [Service], such as `Restart=no`
 */
export async function withUnitSetting({ vm }: Lab, setting: string): Promise<Change> {
  await vm.write(`${folder}/changed.conf`, `[Service]\n${setting}\n`);
  await vm.run(['systemctl', 'daemon-reload']);
  return change(`the istio unit with ${setting}`, async () => {
    await vm.run(['bash', '-c', `rm -r ${folder} && systemctl daemon-reload`]);
  });
}
