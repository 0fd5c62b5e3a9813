import { LackingError } from '#lib/base/errors.ts';

/** What a lab has when the harness made its machines and its cluster, and why one on somebody else's lacks it. */
const ownFeatures = {
  vm: 'it was asked for without an external VM (VM_OS=none).',
  'node-access': "the nodes of the cluster are somebody else's machines, into which nobody looks.",
  'own-cluster':
    "the cluster is somebody else's: it has the shape that it has, and is changed in the lab's own namespaces only.",
  'own-network': 'the network between the machines is not one that the harness made.',
  'own-vm': "the VM is somebody else's: it is not switched off, and not made anew.",
  'spare-vm':
    'its VM is launched elsewhere, and nothing is here that another one like it could be made from.',
  'own-mesh': 'the mesh was there before the lab, and is used as it is.',
  'second-lab': "a second cluster beside somebody else's is not the harness's to make.",
  'lab-artifacts':
    "machines of somebody else's take no images of the lab's, and no packages of another architecture.",
  'root-session': 'commands reach its VM by sudo, which waits with them when it has to.',
  bystander:
    'no host is known that is neither node, pod nor VM and reaches them; EXISTING_BYSTANDER=here says that this one is.',
} as const;
export type OwnFeature = keyof typeof ownFeatures;

/** The names of all of them. */
export const allOwnFeatures = Object.keys(ownFeatures) as OwnFeature[];

/** What is thrown by whoever is asked for it on a lab that does not have it; the claim is then not applicable. */
export const lack = (feature: OwnFeature): LackingError => new LackingError(feature, ownFeatures[feature]);

/** The same object, but for fields that the lab does not have: who reaches for one is told so. */
export function without<T extends object>(whole: T, fields: Partial<Record<keyof T, OwnFeature>>): T {
  const lacking = Object.entries(fields).map(([name, feature]): [string, PropertyDescriptor] => [
    name,
    {
      enumerable: false,
      get: () => {
        throw lack(feature as OwnFeature);
      },
    },
  ]);
  return Object.create(whole, Object.fromEntries(lacking)) as T;
}
