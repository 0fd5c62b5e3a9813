import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';
import { orUndone, together } from './passing.ts';
import { redirectsKept } from './redirects-kept.ts';
import { killSidecar, registered } from './sidecar.ts';
import { startSidecar } from './workload.ts';

const file = '/var/lib/istio/envoy/cluster.env';

/** The sidecar started anew with one more line in cluster.env; so it is by the undo, without the line. */
export const sidecarWith = async (lab: Lab, line: string): Promise<Change> =>
  together(
    async () => redirectsKept(lab),
    async () => {
      const anew = async (edit: string): Promise<void> => {
        await killSidecar(lab);
        await lab.vm.run(['bash', '-c', edit, line, file]);
        await startSidecar(lab);
        await registered(lab);
      };
      const made = change(`the sidecar with ${line}`, async () => anew('sed -i "\\|^$0$|d" "$1"'));
      await orUndone(made, async () => anew('echo "$0" >>"$1"'));
      return made;
    },
  );
