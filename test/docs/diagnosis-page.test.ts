import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RULE_GROUPS } from '../../src/diagnosis/rule-groups.js';
import { RULES } from '../../src/diagnosis/rules/index.js';
import { DIAGNOSIS_PAGE, diagnosisPage } from './diagnosis-page.js';

describe('docs/diagnosis.md', () => {
  it('says what the rules say', () => {
    expect(readFileSync(DIAGNOSIS_PAGE, 'utf8'), 'the rules have changed: npm run docs:diagnosis').toBe(
      diagnosisPage(),
    );
  });

  it('has all rules, each where its id leads', () => {
    expect(
      RULE_GROUPS.flatMap(({ rules }) => rules)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(RULES.map(({ id }) => id).sort());
    const lines = diagnosisPage().split('\n');
    for (const { id } of RULES) {
      expect(lines.filter((line) => line === `### ${id}`)).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith(`| [${id}](#${id}) |`))).toHaveLength(1);
    }
  });

  it('keeps Markdown from reading what the rules say as marks', () => {
    const prose = diagnosisPage()
      .replaceAll('*To tell:*', '')
      .replaceAll(/\*\*[^*]+\*\*/g, '')
      .replace(/<!--.*?-->/, '');
    expect(prose.match(/(?<!\\)[*<]/g)).toBeNull();
  });
});
