import type { Settings, Size } from '#lib/base/settings.ts';

/** A node of the local provider: fixed addresses, because each lab has network namespaces of its own. */
export interface NodePlan {
  name: string;
  role: 'control-plane' | 'worker';
  address: string;
  podNetwork: string;
  size: Size;
}

/** The article's three machines, with the sizes of run.env. */
export function nodePlans({ sizes }: Pick<Settings, 'sizes'>): NodePlan[] {
  return [
    {
      name: 'k3s-master',
      role: 'control-plane',
      address: '192.168.64.60',
      podNetwork: '10.42.0.0/24',
      size: sizes.master,
    },
    {
      name: 'k3s-worker-1',
      role: 'worker',
      address: '192.168.64.61',
      podNetwork: '10.42.1.0/24',
      size: sizes.worker,
    },
    {
      name: 'k3s-worker-2',
      role: 'worker',
      address: '192.168.64.62',
      podNetwork: '10.42.2.0/24',
      size: sizes.worker,
    },
  ];
}

export const networks = {
  /** The bridge itself: a host of the lab's network that is neither node nor pod. */
  bridge: '192.168.64.1',
  vm: '192.168.64.64',
  api: 'https://192.168.64.60:6443',
  pods: '10.42.0.0/16',
  services: '10.43.0.0/16',
  dns: '10.43.0.10',
} as const;
