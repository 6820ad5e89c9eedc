/**
 * Says what a refused URL holds without anything that could be a password. A text that does not parse gives no
 * certainty about where its password ends, so in doubt only its beginning and length are told.
 */
export const describeRefusedUrl = (text: string): string => {
  const [, scheme = '', rest = text] = /^([a-z][a-z0-9+]{0,30}:\/\/)?(.*)$/is.exec(text) ?? [];
  const [login = '', place, ...more] = rest.split('@');
  const hasOneLogin = place !== undefined && more.length === 0 && !/[/?#]/.test(login);
  const visible = hasOneLogin ? place : place === undefined && URL.canParse(text) ? rest : undefined;
  if (visible === undefined || scheme === '') {
    return `${scheme === '' ? 'a text' : `"${scheme}…"`} of ${text.length} characters`;
  }
  const [path = '', ...parameters] = visible.split(/[?#]/);
  const shown = `${scheme}${hasOneLogin ? '***@' : ''}${path}${parameters.length > 0 ? '?…' : ''}`;
  return JSON.stringify(shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown);
};

const MAX_SHOWN = 120;
