import type { EffectiveSetting } from '../../../application/ports/operators/effective-setting.ts';
import type { SettingReply } from './configuration-schema.ts';

export const presentSetting = ({ isSecret, ...setting }: EffectiveSetting): SettingReply => ({
  ...setting,
  secret: isSecret,
});
