import { expect } from 'chai';
import { readDockingRequest } from '../../../presentation/worker/docking-request.ts';
import { JobFailure } from '../../../presentation/worker/job-failure.ts';

const HASH = 'a'.repeat(64);
const BOX = { center_x: -1.5, center_y: 2, center_z: 3, size_x: 10, size_y: 10.25, size_z: 10 };

const jobOf = ({ inputs = {}, params = {}, signature = `0000002a${'0'.repeat(56)}` } = {}) => ({
  job_id: 'x',
  engine: 'vina',
  inputs: {
    receptor: { file: `sha256:${HASH}` },
    ligand: { file: `sha256:${HASH}`, name: '-o.pdbqt' },
    ...inputs,
  },
  params: { ...BOX, ...params },
  input_signature: signature,
});

const failureOf = (job: ReturnType<typeof jobOf>): JobFailure => {
  try {
    readDockingRequest(job);
  } catch (error) {
    if (error instanceof JobFailure) return error;
    throw error;
  }
  throw new Error('it was taken');
};

describe('a docking that a job asks for', () => {
  it('becomes arguments of one word each', () => {
    const { arguments: words, ...request } = readDockingRequest(
      jobOf({ params: { scoring: 'vinardo', exhaustiveness: 4, seed: -7 } }),
    );
    expect(request).to.deep.equal({ receptor: HASH, ligand: HASH, seed: -7, scoring: 'vinardo' });
    expect(words).to.have.members([
      '--center_x=-1.5',
      '--center_y=2',
      '--center_z=3',
      '--size_x=10',
      '--size_y=10.25',
      '--size_z=10',
      '--scoring=vinardo',
      '--exhaustiveness=4',
      '--seed=-7',
    ]);
  });

  it('has a seed by its signature when it names none, so that equal jobs have equal results', () => {
    expect(readDockingRequest(jobOf()).seed).to.equal(43);
    // Vina would take another one each time.
    expect(readDockingRequest(jobOf({ params: { seed: 0 } })).seed).to.equal(43);
    for (const digits of ['ffffffff', '7fffffff', '00000000'])
      expect(readDockingRequest(jobOf({ signature: digits + '0'.repeat(56) })).seed).to.be.within(
        1,
        2 ** 31 - 1,
      );
  });

  const REFUSED: readonly (readonly [object, string])[] = [
    [{ params: { config: '/etc/passwd' } }, 'params: Unrecognized key: "config"'],
    [{ params: { out: '../../x' } }, 'params: Unrecognized key: "out"'],
    [{ params: { cpu: 64 } }, 'params: Unrecognized key: "cpu"'],
    [{ params: { scoring: 'ad4' } }, 'params.scoring'],
    [{ params: { exhaustiveness: 129 } }, 'params.exhaustiveness'],
    [{ params: { exhaustiveness: '8; rm' } }, 'params.exhaustiveness'],
    [{ params: { num_modes: 0 } }, 'params.num_modes'],
    [{ params: { seed: 2 ** 31 } }, 'params.seed'],
    [{ params: { seed: 0.5 } }, 'params.seed'],
    [{ params: { spacing: 0.001 } }, 'params.spacing'],
    [{ params: { size_x: 0 } }, 'params.size_x'],
    [{ params: { center_x: Number.NaN } }, 'params.center_x'],
    [{ params: { center_x: undefined } }, 'params.center_x'],
    [{ inputs: { flex: { file: `sha256:${HASH}` } } }, 'inputs: Unrecognized key: "flex"'],
    [{ inputs: { ligand: '1iep_ligand.pdbqt' } }, 'inputs.ligand'],
    [{ inputs: { ligand: { file: '../../etc/passwd' } } }, 'inputs.ligand.file'],
    [{ inputs: { receptor: undefined } }, 'inputs.receptor'],
  ];
  for (const [change, path] of REFUSED) {
    it(`is refused with the place: ${JSON.stringify(change)}`, () => {
      const { code, retryable, message } = failureOf(jobOf(change));
      expect({ code, retryable }).to.deep.equal({ code: 'unsupported_input', retryable: false });
      expect(message).to.include(path);
    });
  }

  it('shows no more of a strange field than a message holds, and nothing that a terminal obeys', () => {
    const { message } = failureOf(jobOf({ params: { [`\u001b[31m${'x'.repeat(5000)}`]: 1 } }));
    expect(message.length).to.be.at.most(1000);
    expect(message).not.to.include('\u001b');
  });
});
