import { adminJson } from './envoy.ts';
import type { Place } from './places.ts';

/** A filter chain of the listener that takes what is redirected inbound. */
export interface InboundChain {
  name: string;
  /** Any port of the workload unless told. */
  port?: number;
  /** `tls` for TLS alone; a chain without it, or with `raw_buffer`, takes plaintext. */
  transport: string;
}

interface Dump {
  configs?: {
    name?: string;
    active_state?: { listener?: { filter_chains?: Chain[] } };
  }[];
}

interface Chain {
  name?: string;
  filter_chain_match?: { destination_port?: number; transport_protocol?: string };
}

/** What keeps a proxy from calling itself; it takes nothing that comes from elsewhere. */
const blackHole = 'virtualInbound-blackhole';

/** The inbound filter chains of a sidecar, by its configuration dump. */
export async function inboundChains(proxy: Place): Promise<InboundChain[]> {
  const { configs = [] } = await adminJson<Dump>(
    proxy,
    '/config_dump?resource=dynamic_listeners&name_regex=virtualInbound',
  );
  const listener = configs.find(({ name }) => name === 'virtualInbound');
  const chains = listener?.active_state?.listener?.filter_chains ?? [];
  return chains
    .filter(({ name }) => name !== blackHole)
    .map(({ name = '', filter_chain_match: { destination_port: port, transport_protocol } = {} }) => ({
      name,
      ...(port === undefined ? {} : { port }),
      transport: transport_protocol ?? 'any',
    }));
}

/** The chains that take plaintext; those of another proxy's ports included. */
export const plaintext = (chains: readonly InboundChain[]): InboundChain[] =>
  chains.filter(({ transport }) => transport !== 'tls');
