import { visibleText } from '../../../model/visible-text.js';
import { defineRule } from '../../rule.js';

export const authorizerVariableHeaders = defineRule({
  id: 'authorizer-variable-headers',
  severity: 'warning',
  title: 'A Variable- header of the authorizer does not get where it should',
  meaning:
    'An authorizer that says yes may add headers such as "Variable-USER: jo": the web server takes them off and gives the next program a param USER. A name that is empty gives none; and in an answer that is no yes, lighttpd passes them on to the visitor, who was not to see them.',
  layer: 'remark',
  certainty: 'proven',
  remedies: {
    any: ['Print Variable- headers with status 200 only, each with a name behind the dash.'],
    lighttpd: ['it passes on what comes with any other status, 204 as well.'],
  },
  look: ['The Response tab here, and the Params tab of the request that follows: the param NAME has to be there.'],
  needs: ['role'],
  seen: ['lighttpd → test backend'],
  check({ role, outcome, response }) {
    if (role !== 'authorizer' || outcome !== 'completed' || !response?.complete) return null;
    const denied = response.status !== 200;
    const header = response.headers.find(({ name }) => isVariable(name) && (denied || name.length === PREFIX.length));
    if (header === undefined) return null;
    const name = visibleText(header.name, 60);
    return {
      detail: denied ? `${name} comes with status ${response.status}.` : `${name} names no variable.`,
      evidence: [{ kind: 'header', name: header.name }],
    };
  },
});

/** Section 6.3. */
const PREFIX = 'variable-';

function isVariable(name: string): boolean {
  return name.slice(0, PREFIX.length).toLowerCase() === PREFIX;
}
