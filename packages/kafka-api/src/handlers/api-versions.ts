/** ApiVersions: what this listener speaks, and in which versions. Never depends on the state of the cluster. */
import { APIS, type ApiName, type ResponseDraftOf } from '../schemas/api-table.ts';
import type { Handler, Surroundings } from './handler.ts';
import { NO_ERROR, wireError } from './wire-error.ts';

type Row = ResponseDraftOf<'apiVersions'>['apiKeys'][number];

/** A client tells its name and version in these words, or it is malformed. As Kafka has it. */
const SOFTWARE_WORD = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

export function apiVersionsHandler({ logger }: Surroundings): Handler<'apiVersions'> {
  const apiKeys = (Object.keys(APIS) as ApiName[]).map(row).sort((a, b) => a.apiKey - b.apiKey);
  return {
    handle: async ({ clientSoftwareName, clientSoftwareVersion }, { version, clientId, connection }) => {
      if (version >= 3) {
        if (!SOFTWARE_WORD.test(clientSoftwareName) || !SOFTWARE_WORD.test(clientSoftwareVersion)) {
          return { errorCode: wireError('INVALID_REQUEST'), apiKeys };
        }
        logger.debug(
          {
            event: 'kafka_client',
            connection: connection.id,
            clientId,
            software: clientSoftwareName,
            softwareVersion: clientSoftwareVersion,
          },
          `${clientSoftwareName} ${clientSoftwareVersion} connected`,
        );
      }
      return { errorCode: NO_ERROR, apiKeys };
    },
    // A client that speaks a newer version learns here which one to ask again with.
    refuse: (_request, { code }) => ({ errorCode: wireError(code), apiKeys: [row('apiVersions')] }),
  };
}

function row(name: ApiName): Row {
  const { key, advertised } = APIS[name];
  return { apiKey: key, minVersion: advertised.lowest, maxVersion: advertised.highest };
}
