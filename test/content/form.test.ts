import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formFields, multipartFields, urlencodedFields } from '../../src/content/form.js';

const utf8 = (text: string) => new TextEncoder().encode(text);

const MULTIPART = [
  'preamble',
  '--XX',
  'Content-Disposition: form-data; name="user"',
  '',
  'jörg',
  '--XX',
  'content-disposition: form-data; name="file"; filename="a;b.txt"',
  'Content-Type: text/plain',
  '',
  'file\r\n--X content',
  '--XX',
  'Content-Disposition: form-data; name="user"',
  '',
  '',
  '--XX--',
  'epilogue',
].join('\r\n');

describe('urlencodedFields', () => {
  it('keeps order and duplicates, decodes, and bears what is broken', () => {
    expect(urlencodedFields('a=1&b=x+y%20z&a=2&c&=d&&e=%zz&f=g=h')).toEqual([
      { name: 'a', value: '1' },
      { name: 'b', value: 'x y z' },
      { name: 'a', value: '2' },
      { name: 'c', value: '' },
      { name: '', value: 'd' },
      { name: 'e', value: '%zz' },
      { name: 'f', value: 'g=h' },
    ]);
  });
});

describe('formFields', () => {
  it('lists the parts of a multipart form, files without their content', () => {
    expect(formFields('multipart/form-data; boundary=XX', utf8(MULTIPART))).toEqual([
      { name: 'user', value: 'jörg' },
      { name: 'file', value: '', fileName: 'a;b.txt', contentType: 'text/plain' },
      { name: 'user', value: '' },
    ]);
  });

  it('takes only forms', () => {
    expect(formFields('application/x-www-form-urlencoded; charset=utf-8', utf8('a=b'))).toEqual([
      { name: 'a', value: 'b' },
    ]);
    expect(formFields('application/json', utf8('{}'))).toBeNull();
    expect(formFields(null, utf8('a=b'))).toBeNull();
  });
});

describe('multipartFields', () => {
  it('says where each content lies', () => {
    const body = utf8(MULTIPART);
    const text = (from: number, to: number) => new TextDecoder().decode(body.subarray(from, to));
    expect(multipartFields(body, 'XX').map(({ from, to }) => text(from, to))).toEqual([
      'jörg',
      'file\r\n--X content',
      '',
    ]);
  });

  it('takes a part that is cut off as far as it goes', () => {
    const cut = utf8(MULTIPART.slice(0, MULTIPART.indexOf('rg')));
    expect(multipartFields(cut, 'XX')).toMatchObject([{ name: 'user', value: 'jö' }]);
  });

  it('ends and never throws, whatever the bytes', () => {
    const piece = fc.constantFrom('--XX', '\r\n', '--', '\r\n\r\n', 'a', 'Content-Disposition: form-data; name="x"');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        for (const part of multipartFields(utf8(pieces.join('')), 'XX'))
          expect(part.to).toBeGreaterThanOrEqual(part.from);
      }),
    );
    expect(multipartFields(utf8('--XX'), '')).toEqual([]);
  });
});
