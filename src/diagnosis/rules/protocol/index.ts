import type { Rule } from '../../rule.js';
import { backendSpeaksHttp } from './backend-speaks-http.js';
import { peerSpeaksNotFastcgi } from './peer-speaks-not-fastcgi.js';
import { requestRejected } from './request-rejected.js';

/** What is spoken is not FastCGI, or not as the specification says. In the order in which they are asked. */
export const PROTOCOL: readonly Rule[] = [peerSpeaksNotFastcgi, backendSpeaksHttp, ...requestRejected];
