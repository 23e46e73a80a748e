import type { Rule } from '../../rule.js';
import { credentialsInParams } from './credentials-in-params.js';
import { cve201911043 } from './cve-2019-11043.js';
import { cve202523016 } from './cve-2025-23016.js';
import { exposedFastcgiPort } from './exposed-fastcgi-port.js';
import { fpmStatusExposed } from './fpm-status-exposed.js';
import { headerNameCollision } from './header-name-collision.js';
import { httpoxy } from './httpoxy.js';
import { pathinfoUploadExec } from './pathinfo-upload-exec.js';
import { phpValueInjection } from './php-value-injection.js';
import { remoteUserSpoof } from './remote-user-spoof.js';
import { responseSplitting } from './response-splitting.js';
import { scriptFilenameTraversal } from './script-filename-traversal.js';

/**
 * What an attacker would do, or could. In the order in which they are asked. All are remarks: an attack may have any outcome, and what
 * became of the request has its own cause.
 */
export const SECURITY: readonly Rule[] = [
  phpValueInjection,
  exposedFastcgiPort,
  cve202523016,
  cve201911043,
  pathinfoUploadExec,
  responseSplitting,
  scriptFilenameTraversal,
  httpoxy,
  headerNameCollision,
  remoteUserSpoof,
  fpmStatusExposed,
  credentialsInParams,
];
