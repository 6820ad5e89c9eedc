import { expect } from 'chai';
import { PRINTABLE_LINES } from '../../../domain/printable.ts';
import { EngineLog } from '../../../presentation/worker/engine-log.ts';
import { storedText } from '../../../presentation/worker/stored-text.ts';

const MEBIBYTE = 1024 * 1024;

describe('the log of an engine', () => {
  it('is kept whole, as the bytes that came', () => {
    const log = new EngineLog();
    for (const part of ['one\r\n', '\0two', '\xff']) log.add(Buffer.from(part, 'latin1'));
    expect(log.bytes().toString('latin1')).to.equal('one\r\n\0two\xff');
  });

  it('keeps its beginning and its end when there is no end of it', () => {
    const log = new EngineLog();
    log.add(Buffer.from('begin'));
    for (let index = 0; index < 40; index += 1) log.add(Buffer.alloc(MEBIBYTE / 4, 'x'));
    log.add(Buffer.from('the end'));
    const text = log.bytes().toString();
    expect(text.length).to.be.lessThan(2 * MEBIBYTE);
    expect(text)
      .to.match(/^begin/)
      .and.to.match(/the end$/);
    const leftOut = Number(/\[(\d+) bytes are left out here\]/.exec(text)?.[1]);
    const marker = `\n[${leftOut} bytes are left out here]\n`.length;
    expect(text.length - marker + leftOut).to.equal(10 * MEBIBYTE + 'begin'.length + 'the end'.length);
  });
});

describe('words of an engine that are stored', () => {
  it('hold nothing that the service refuses', () => {
    const odd = 'tab\there\r\nbare\rreturn\0\u001b[31m\u202e \ud800 é\u0085';
    const stored = storedText(odd, 1000);
    expect(stored).to.match(PRINTABLE_LINES);
    expect(stored).to.match(/^tab\there\nbare\nreturn\ufffd\ufffd\[31m/);
  });

  it('end where the engine ended, and begin at a whole character', () => {
    expect(storedText('aäöü', 5)).to.equal('öü');
    expect(storedText('abc', 5)).to.equal('abc');
  });
});
