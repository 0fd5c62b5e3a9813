import { CommandError, type Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';

/** A listener with the filter that Istio's build adds to Envoy and that istiod sends to each sidecar. */
const withIstioFilter = {
  static_resources: {
    listeners: [
      {
        name: 'any',
        address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
        filter_chains: [
          {
            filters: [
              {
                name: 'envoy.filters.network.http_connection_manager',
                typed_config: {
                  '@type':
                    'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                  stat_prefix: 'any',
                  route_config: { name: 'any' },
                  http_filters: [
                    filter('istio.alpn', 'istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig'),
                    filter('envoy.filters.http.router', 'envoy.extensions.filters.http.router.v3.Router'),
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  },
};

function filter(name: string, type: string): object {
  return { name, typed_config: { '@type': `type.googleapis.com/${type}` } };
}

/** What says that a program did not come to run: its loader, or who was to start it. */
const notRun = /GLIBC\w*_[\d.]+|error while loading shared libraries|Exec format error/;

/**
 * Whether an Envoy takes a configuration with a filter that only Istio's build has.
 *
 * @returns undefined when it cannot run on this host (of another architecture, or an older C library), so nobody knows
 */
export async function hasIstioFilters(envoy: string, run: Run): Promise<boolean | undefined> {
  const words = [envoy, '--mode', 'validate', '--config-yaml', JSON.stringify(withIstioFilter)];
  try {
    await run(words, { within: ours.command });
    return true;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const { code, stderr } = error.output;
    return [-1, 126, 127].includes(code) || notRun.test(stderr) ? undefined : false;
  }
}
