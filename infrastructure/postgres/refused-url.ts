/**
 * Describes a refused URL without any part that could be a password. When the text does not show where its password
 * ends, the description holds only the scheme and the length.
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
