import { defineRule } from '../../rule.js';

const MEANING: Readonly<Record<string, readonly [id: string, title: string, advice: string]>> = {
  overloaded: [
    'overloaded',
    'The backend refuses the request: OVERLOADED',
    'The application’s own limit (connections, threads, a database) is reached: raise it, or send it less.',
  ],
  'cant-mpx-conn': [
    'cant-mpx-conn',
    'The backend does not serve several requests on one connection',
    'Switch multiplexing off in the web server (HAProxy: no option mpxs-conns).',
  ],
  'unknown-role': [
    'unknown-role',
    'The backend does not know the role it was asked to play',
    'An authorizer or filter was configured for an application that is a responder: see the web server’s mode (lighttpd "mode" => "authorizer").',
  ],
};

/** One rule for each status with which a backend may refuse (specification section 5.5). */
export const requestRejected = Object.entries(MEANING).map(([status, [id, title, advice]]) =>
  defineRule({
    id,
    severity: 'error',
    title,
    meaning: title,
    layer: 'cause',
    certainty: 'allowed',
    remedies: {},
    seen: [],
    check({ protocolStatus, appStatus }) {
      if (protocolStatus !== status) return null;
      return {
        detail: `END_REQUEST carries protocol status ${status}, app status ${appStatus}. Web servers do not show it: nginx answers 502, lighttpd 500, Apache an empty 200.`,
        advice: [advice],
      };
    },
  }),
);
