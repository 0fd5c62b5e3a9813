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

/** Whether an Envoy takes a configuration with a filter that only Istio's build has. One that cannot be run does not. */
export async function hasIstioFilters(envoy: string, run: Run): Promise<boolean> {
  const words = [envoy, '--mode', 'validate', '--config-yaml', JSON.stringify(withIstioFilter)];
  try {
    await run(words, { within: ours.command });
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}
