import { AuthorizationV1Api, type KubeConfig } from '@kubernetes/client-node';

/** Something that may be allowed or not, in all namespaces. */
export interface Right {
  verb: string;
  /** The API group; '' for the core. */
  group: string;
  /** The plural, such as `pods`, or `pods/exec`. */
  resource: string;
}

/** Such as `create pods/exec`, or `create clusterroles.rbac.authorization.k8s.io`. */
export const rightInWords = ({ verb, group, resource }: Right): string =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}`;

/** Asks the API server which of these its user does not have; changes nothing. */
export async function missingRights(config: KubeConfig, rights: readonly Right[]): Promise<Right[]> {
  const api = config.makeApiClient(AuthorizationV1Api);
  const asked = await Promise.all(
    rights.map(async (right) => {
      const [resource, subresource] = right.resource.split('/');
      const resourceAttributes = {
        verb: right.verb,
        group: right.group,
        ...(resource === undefined ? {} : { resource }),
        ...(subresource === undefined ? {} : { subresource }),
      };
      const { status } = await api.createSelfSubjectAccessReview({ body: { spec: { resourceAttributes } } });
      return status?.allowed === true ? [] : [right];
    }),
  );
  return asked.flat();
}
