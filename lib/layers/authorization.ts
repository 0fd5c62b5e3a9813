import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { applying, type Change } from '#lib/kube/manifest.ts';
import { bystander } from '#lib/probes/bystander.ts';
import { get, outcomeOf } from '#lib/probes/http.ts';
import type { Lab } from './lab.ts';
import { inForce } from './passing.ts';

/** An AuthorizationPolicy that selects the VM by its label and allows nothing; in force when this returns. */
export async function deniedByMesh(lab: Lab): Promise<Change> {
  const { vmApp: app, vmNamespace: namespace } = lab.settings;
  const policy = {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'allow-nothing', namespace },
    spec: { selector: { matchLabels: { app } } },
  };
  const url = `http://${await lab.vm.address()}:8000/`;
  const applied = await applying(lab.kube, [policy]);
  const answers = async (outcome: string): Promise<void> => {
    await until(
      `the VM answers ${outcome}`,
      async () => outcomeOf(await get(bystander(lab), url)),
      (seen) => seen === outcome,
      { within: ours.meshLearns, every: 200 },
    );
  };
  return inForce(applied, async (denied) => answers(denied ? '403' : '200'));
}
