import type { Role } from '../../../domain/identity/role.ts';

/**
 * Who may call what, written down apart from the routes that declare it. P platform_admin, A org_admin, M member,
 * W worker, G guest (a user who is only invited), - nobody needs a token. Every cell is tested over fakes and over the real service.
 */
export const MATRIX: Readonly<Record<string, string>> = {
  'POST /auth/token': '-',
  'POST /auth/refresh': '-',
  'POST /auth/logout': '-',
  'GET /users/me': 'GPAMW',
  'PUT /users/me/password': 'GPAMW',
  'POST /users/me/invitations/{inviting_org_id}/accept': 'GPAMW',
  'POST /users/me/invitations/{inviting_org_id}/decline': 'GPAMW',
  'GET /users': 'P',
  'POST /users': 'P',
  'GET /users/{user_id}': 'P',
  'PATCH /users/{user_id}': 'P',
  'PUT /users/{user_id}/password': 'P',
  'GET /users/{user_id}/identities': 'P',
  'POST /users/{user_id}/identities': 'P',
  'DELETE /users/{user_id}/identities/{identity_id}': 'P',
  'POST /organizations': 'P',
  'GET /organizations': 'P',
  'GET /organizations/{org_id}': 'PAMW',
  'PATCH /organizations/{org_id}': 'PA',
  'GET /organizations/{org_id}/settings': 'A',
  'PUT /organizations/{org_id}/settings': 'A',
  'PATCH /organizations/{org_id}/settings': 'A',
  'POST /organizations/{org_id}/suspend': 'P',
  'POST /organizations/{org_id}/resume': 'P',
  'GET /organizations/{org_id}/audit-logs': 'PA',
  'GET /organizations/{org_id}/members': 'PA',
  'POST /organizations/{org_id}/members': 'PA',
  'PUT /organizations/{org_id}/members/{user_id}': 'PA',
  'DELETE /organizations/{org_id}/members/{user_id}': 'PA',
  'POST /organizations/{org_id}/jobs': 'AM',
  'GET /organizations/{org_id}/jobs': 'AMW',
  'GET /organizations/{org_id}/jobs/{job_id}': 'AMW',
  'PATCH /organizations/{org_id}/jobs/{job_id}': 'AMW',
  'PUT /organizations/{org_id}/jobs/{job_id}/task-results/{task_name}': 'W',
  'GET /organizations/{org_id}/jobs/{job_id}/task-results': 'AMW',
  'POST /organizations/{org_id}/jobs/{job_id}/artifacts': 'W',
  'GET /organizations/{org_id}/jobs/{job_id}/artifacts': 'AMW',
  'GET /organizations/{org_id}/input-signatures/{signature}': 'AMW',
  'GET /organizations/{org_id}/queue': 'AMW',
  'GET /queue': 'AMW',
  'GET /organizations/{org_id}/events': 'AMW',
  'GET /events': 'AMW',
  'POST /jobs': 'AM',
  'GET /jobs': 'AMW',
  'GET /jobs/{job_id}': 'AMW',
  'PATCH /jobs/{job_id}': 'AMW',
  'PUT /jobs/{job_id}/task-results/{task_name}': 'W',
  'GET /jobs/{job_id}/task-results': 'AMW',
  'POST /jobs/{job_id}/artifacts': 'W',
  'GET /jobs/{job_id}/artifacts': 'AMW',
  'GET /admin/audit-logs': 'P',
  'GET /admin/databases': 'P',
  'GET /admin/databases/{org_id}': 'P',
  'POST /admin/databases/{org_id}/provision': 'P',
  'GET /admin/servers': 'P',
  'GET /admin/servers/{server_id}': 'P',
  'PATCH /admin/servers/{server_id}': 'P',
  'GET /admin/migrations': 'P',
  'GET /admin/migrations/{run_id}': 'P',
  'GET /admin/migrations/{run_id}/organizations': 'P',
  'GET /health': '-',
  'GET /ready': '-',
  'GET /metrics': '-',
  'GET /openapi.json': '-',
  'GET /docs': '-',
};

export const CALLERS: readonly { readonly role: Role; readonly letter: string; readonly belongs: boolean }[] =
  [
    { role: 'platform_admin', letter: 'P', belongs: false },
    { role: 'org_admin', letter: 'A', belongs: true },
    { role: 'member', letter: 'M', belongs: true },
    { role: 'worker', letter: 'W', belongs: true },
  ];

/** @param title method and path, as the matrix has them; what is not in it nobody may call */
export const mayCall = (role: Role, title: string): boolean => {
  const letter = CALLERS.find((caller) => caller.role === role)?.letter ?? '';
  return letter !== '' && (MATRIX[title]?.includes(letter) ?? false);
};
