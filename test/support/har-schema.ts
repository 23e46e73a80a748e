import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';

const require = createRequire(import.meta.url);
const ajv = new Ajv({ strict: false, schemas: [], allErrors: true });
ajv.addMetaSchema(require('ajv/dist/refs/json-schema-draft-06.json'));
ajv.addFormat('uri', (text) => /^[a-z][a-z0-9+.-]*:\/\/[\x21-\x7e]+$/i.test(text) && URL.canParse(text));
ajv.addFormat(
  'date-time',
  (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) && !Number.isNaN(Date.parse(text)),
);
ajv.addFormat('ipv4', /^\d+\.\d+\.\d+\.\d+$/);
ajv.addFormat('ipv6', /^[0-9a-f:]+$/);
for (const schema of Object.values(require('har-schema') as Record<string, object>)) ajv.addSchema(schema);

/** Whether a parsed file is HAR 1.2; its `errors` say why not. */
export const validateHar: ValidateFunction = ajv.getSchema('har.json#')!;
