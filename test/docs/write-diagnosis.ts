import { writeFileSync } from 'node:fs';
import { DIAGNOSIS_PAGE, diagnosisPage } from './diagnosis-page.js';

/** npm run docs:diagnosis */
writeFileSync(DIAGNOSIS_PAGE, diagnosisPage());
