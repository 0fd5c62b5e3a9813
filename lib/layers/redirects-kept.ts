import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

const file = '/var/lib/istio/envoy/cluster.env';
const line = 'ISTIO_CUSTOM_IP_TABLES=true';

/**
 * The redirect rules outlive the sidecar (istio-start.sh leaves them alone): under emulation they take most of the
 * time of a stop and a start. For claims that they make no difference to.
 */
export async function redirectsKept({ vm }: Lab): Promise<Change> {
  await vm.run(['bash', '-c', `grep -qx ${line} ${file} || echo ${line} >>${file}`]);
  return change('redirect rules that outlive the sidecar', async () => {
    await vm.run(['sed', '-i', `/^${line}$/d`, file]);
  });
}
