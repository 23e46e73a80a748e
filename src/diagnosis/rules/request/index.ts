import type { Rule } from '../../rule.js';
import { contentLengthMissing } from './content-length-missing.js';
import { earlyResponse } from './early-response.js';
import { paramsDuplicate } from './params-duplicate.js';
import { paramsMissingCore } from './params-missing-core.js';
import { paramsSplitMidPair } from './params-split-mid-pair.js';
import { paramsTooLarge } from './params-too-large.js';
import { requestRecordGarbage } from './request-record-garbage.js';
import { stdinShort } from './stdin-short.js';
import { stdinTerminatorMissing } from './stdin-terminator-missing.js';

/** What the web server sent does not fit together, or not with what the backend understands. In the order in which they are asked. */
export const REQUEST: readonly Rule[] = [
  requestRecordGarbage,
  paramsSplitMidPair,
  paramsTooLarge,
  paramsMissingCore,
  contentLengthMissing,
  stdinShort,
  earlyResponse,
  stdinTerminatorMissing,
  paramsDuplicate,
];
