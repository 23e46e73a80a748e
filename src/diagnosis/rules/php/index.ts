import type { Rule } from '../../rule.js';
import { authorizationMissing } from './authorization-missing.js';
import { blankPageNoStderr } from './blank-page-no-stderr.js';
import { status200Error } from './charset-or-status-200-error.js';
import { fcgiwrap403 } from './fcgiwrap-403.js';
import { fcgiwrap502 } from './fcgiwrap-502.js';
import { forceRedirectAlert } from './force-redirect-alert.js';
import { httpsParamMissing } from './https-param-missing.js';
import { limitExtensions } from './limit-extensions.js';
import { noInputFileSpecified } from './no-input-file-specified.js';
import { pathInfoWrong } from './path-info-wrong.js';
import { phpFatal } from './php-fatal.js';
import { primaryScriptUnknown } from './primary-script-unknown.js';
import { sourceCodeServed } from './source-code-served.js';
import { stderrNoise } from './stderr-noise.js';
import { unableToOpenPrimaryScript } from './unable-to-open-primary-script.js';
import { uploadTooLarge } from './upload-too-large.js';

/** What PHP and the gateways to CGI programs say of a request. In the order in which they are asked. */
export const PHP: readonly Rule[] = [
  primaryScriptUnknown,
  limitExtensions,
  unableToOpenPrimaryScript,
  noInputFileSpecified,
  forceRedirectAlert,
  fcgiwrap403,
  fcgiwrap502,
  uploadTooLarge,
  phpFatal,
  sourceCodeServed,
  httpsParamMissing,
  pathInfoWrong,
  status200Error,
  blankPageNoStderr,
  authorizationMissing,
  stderrNoise,
];
