import { BlockList, isIPv4 } from 'node:net';
import { clusterNetworks } from '#lib/machines/topology.ts';
import { localNetwork } from '#lib/machines/local/addresses.ts';
import type { Check } from './finding.ts';

/** A route of this host. */
interface Route {
  network: string;
  device: string;
}

/** The routes that `ip -4 route show` tells, without the default one. */
export const routesIn = (text: string): Route[] =>
  text.split('\n').flatMap((line) => {
    const [, network, device] = /^(?:\w+ )?([\d.]+(?:\/\d+)?) .*?dev (\S+)/.exec(line) ?? [];
    return network === undefined || device === undefined ? [] : [{ network, device }];
  });

/** Whether two networks have an address in common: one of them begins inside of the other then. */
export function overlap(one: string, other: string): boolean {
  const within = (inner: string, outer: string): boolean => {
    const [net = '', bits = '32'] = outer.split('/');
    const list = new BlockList();
    list.addSubnet(net, Number(bits));
    const [start = ''] = inner.split('/');
    return isIPv4(start) && list.check(start);
  };
  return within(one, other) || within(other, one);
}

/** The networks that multipass makes for instances: on Linux, under LXD, on macOS. */
const ofMultipass = /^(mpqemubr|mpbr|lxdbr|bridge)\d+$/;

/**
 * Addresses of a lab that this host has a network of, too. A lab of the local provider has namespaces of its own, and
 * this host reaches its API server over a socket, so that both can be had. Instances of multipass are on a network of
 * this host; that one must not be the cluster's own.
 */
export const networks: Check = {
  what: 'networks',
  when: ({ settings }) => settings.lab.provider !== 'existing',
  takes: ['ip'],
  look: async (host, { machinesHere }) => {
    const what = 'networks';
    const own = [clusterNetworks.pods, clusterNetworks.services, ...(machinesHere ? [localNetwork] : [])];
    const { stdout } = await host.attempt(['ip', '-4', 'route', 'show']);
    const shared = routesIn(stdout).flatMap(({ network, device }) =>
      own.filter((one) => overlap(one, network)).map((one) => ({ one, network, device })),
    );
    if (shared.length === 0)
      return [{ what, state: 'good', found: `no route of this host is in ${own.join(', ')}` }];
    return shared.map(({ one, network, device }) => {
      const found = `this host has ${network} on ${device}, which overlaps with ${one} of a lab`;
      if (machinesHere)
        return { what, state: 'note', found: `${found}; no harm, as a lab has a network of its own` };
      if (!ofMultipass.test(device)) return { what, state: 'note', found };
      const mend = `give multipass another network (the address of ${device})`;
      return {
        what,
        state: 'lacking',
        found,
        wanted: 'instances outside of the networks of the cluster',
        mend,
      };
    });
  },
};
