import { DeniedAccessWindows } from './audit/denied-access-windows.ts';
import { recordDeniedAccess, summarizeDeniedAccess } from './audit/record-denied-access.ts';
import { changeCampaign } from './campaigns/change-campaign.ts';
import { createCampaign } from './campaigns/create-campaign.ts';
import { getCampaign, getCampaignStatus } from './campaigns/get-campaign.ts';
import { retireAsOperator } from './databases/retire-as-operator.ts';
import { getDatabase } from './databases/get-database.ts';
import { listDatabases } from './databases/list-databases.ts';
import { provisionDatabase } from './databases/provision-database.ts';
import {
  confirmBrowserSession,
  endBrowserSession,
  makeBrowserToken,
  openBrowserSession,
  viewBrowserSession,
} from './identity/browser-session.ts';
import { CollectAtUploads } from './files/collect-at-uploads.ts';
import { collectFiles } from './files/collect-files.ts';
import { beginUpload, completeUpload, receiveUpload } from './files/file-uploads.ts';
import { receiveFile } from './files/receive-file.ts';
import { changeOwnPassword } from './identity/change-own-password.ts';
import { exchangeToken } from './identity/exchange-token.ts';
import { issueKeyToken } from './identity/issue-key-token.ts';
import { endUserSessions, listUserSessions } from './identity/end-user-sessions.ts';
import { endSession } from './identity/end-session.ts';
import { ensureAdministrator } from './identity/ensure-administrator.ts';
import { getUser } from './identity/find-user.ts';
import { issueToken } from './identity/issue-token.ts';
import { issueOperatorToken } from './identity/issue-operator-token.ts';
import { grantOperatorToken } from './identity/grant-operator-token.ts';
import { refreshSession } from './identity/refresh-session.ts';
import { verifyToken } from './identity/verify-token.ts';
import { addArtifact } from './jobs/add-artifact.ts';
import { invalidateSignature, pinSignature, unpinSignature } from './jobs/change-input-signature.ts';
import { cancelJobs } from './jobs/cancel-jobs.ts';
import { claimJobs } from './jobs/claim-jobs.ts';
import { completeJob, completeJobs } from './jobs/complete-job.ts';
import { getInputSignature } from './jobs/get-input-signature.ts';
import { getJob } from './jobs/get-job.ts';
import { moveJob } from './jobs/move-job.ts';
import { putTaskResult } from './jobs/put-task-result.ts';
import { submitBatch } from './jobs/submit-batch.ts';
import { releaseJob } from './jobs/release-job.ts';
import { retryJob } from './jobs/retry-job.ts';
import { submitJob } from './jobs/submit-job.ts';
import { addMember } from './members/add-member.ts';
import { acceptInvitation, declineInvitation } from './members/answer-invitation.ts';
import { changeMemberRoles } from './members/change-member-roles.ts';
import { removeMember } from './members/remove-member.ts';
import { assertOrganizations } from './organizations/assert-organizations.ts';
import { changeOrganization } from './organizations/change-organization.ts';
import { createOrganization } from './organizations/create-organization.ts';
import { getOrganization } from './organizations/get-organization.ts';
import { getSettings } from './organizations/get-settings.ts';
import { patchSettings } from './organizations/patch-settings.ts';
import { replaceSettings } from './organizations/replace-settings.ts';
import { resumeOrganization, suspendOrganization } from './organizations/suspend-organization.ts';
import type { Ports } from './ports/ports.ts';
import { getOverview } from './operators/overview.ts';
import { reconcileAsOperator } from './operators/reconcile-as-operator.ts';
import { addServiceAccountKey } from './service-accounts/add-service-account-key.ts';
import { admitFleet } from './service-accounts/admit-fleet.ts';
import { createServiceAccount } from './service-accounts/create-service-account.ts';
import { listServiceAccountKeys } from './service-accounts/list-service-account-keys.ts';
import { removeServiceAccount } from './service-accounts/remove-service-account.ts';
import { revokeServiceAccountKey } from './service-accounts/revoke-service-account-key.ts';
import { findWork } from './work/find-work.ts';
import { changeServer } from './servers/change-server.ts';
import { checkServer } from './servers/check-server.ts';
import { getServer } from './servers/get-server.ts';
import { listServers } from './servers/list-servers.ts';
import { registerServers } from './servers/register-servers.ts';
import { changeUser } from './users/change-user.ts';
import { createUser } from './users/create-user.ts';
import { linkIdentity } from './users/link-identity.ts';
import { setPassword } from './users/set-password.ts';
import { unlinkIdentity } from './users/unlink-identity.ts';
import { showUsage } from './usage/show-usage.ts';

/** What the service can be asked to do. */
export type UseCases = ReturnType<typeof createUseCases>;

/**
 * Gives every use case its ports: those of the service, or fakes. A use case is a function of the ports that it names,
 * and returns the function that is called for each request. What works on one organization's results takes its leased
 * database with each call; most of that needs no port besides. Decision 0031.
 */
export const createUseCases = (ports: Ports) => {
  const collecting = collectFiles(ports);
  const files = { ...ports, collector: new CollectAtUploads({ ...ports, collectFiles: collecting }) };
  const deniedAccess = { ...ports, windows: new DeniedAccessWindows() };
  return {
    verifyToken: verifyToken(ports),
    issueToken: issueToken(ports),
    issueKeyToken: issueKeyToken(ports),
    exchangeToken: exchangeToken(deniedAccess),
    refreshSession: refreshSession(ports),
    endSession: endSession(ports),
    changeOwnPassword: changeOwnPassword(ports),
    ensureAdministrator: ensureAdministrator(ports),
    issueOperatorToken: issueOperatorToken(ports),
    grantOperatorToken: grantOperatorToken(ports),

    openBrowserSession: openBrowserSession(ports),
    makeBrowserToken: makeBrowserToken(ports),
    confirmBrowserSession: confirmBrowserSession(ports),
    viewBrowserSession: viewBrowserSession(ports),
    endBrowserSession: endBrowserSession(ports),

    getUser: getUser(ports),
    createUser: createUser(ports),
    changeUser: changeUser(ports),
    setPassword: setPassword(ports),
    listUserSessions: listUserSessions(ports),
    endUserSessions: endUserSessions(ports),
    linkIdentity: linkIdentity(ports),
    unlinkIdentity: unlinkIdentity(ports),

    addMember: addMember(ports),
    changeMemberRoles: changeMemberRoles(ports),
    removeMember: removeMember(ports),
    acceptInvitation: acceptInvitation(ports),
    declineInvitation: declineInvitation(ports),

    createServiceAccount: createServiceAccount(ports),
    removeServiceAccount: removeServiceAccount(ports),
    admitFleet: admitFleet(ports),
    addServiceAccountKey: addServiceAccountKey(ports),
    listServiceAccountKeys: listServiceAccountKeys(ports),
    revokeServiceAccountKey: revokeServiceAccountKey(ports),

    findWork: findWork(ports),

    createOrganization: createOrganization(ports),
    changeOrganization: changeOrganization(ports),
    getOrganization: getOrganization(ports),
    showUsage: showUsage(ports),
    assertOrganizations: assertOrganizations(ports),
    suspendOrganization: suspendOrganization(ports),
    resumeOrganization: resumeOrganization(ports),
    getSettings: getSettings(ports),
    replaceSettings: replaceSettings(ports),
    patchSettings: patchSettings(ports),

    provisionDatabase: provisionDatabase(ports),
    retireAsOperator: retireAsOperator(ports),
    listDatabases: listDatabases(ports),
    getDatabase: getDatabase(ports),

    getOverview: getOverview(ports),
    reconcileAsOperator: reconcileAsOperator(ports),

    registerServers: registerServers(ports),
    listServers: listServers(ports),
    getServer: getServer(ports),
    changeServer: changeServer(ports),
    checkServer: checkServer(ports),

    submitJob: submitJob(ports),
    submitBatch: submitBatch(ports),
    retryJob: retryJob(ports),
    claimJobs: claimJobs(ports),
    completeJob,
    completeJobs,
    releaseJob,
    cancelJobs,
    getJob,
    moveJob,
    putTaskResult,
    addArtifact,
    getInputSignature,
    pinSignature,
    unpinSignature,
    invalidateSignature,

    createCampaign: createCampaign(ports),
    changeCampaign,
    getCampaign,
    getCampaignStatus,

    receiveFile: receiveFile(files),
    beginUpload: beginUpload(files),
    receiveUpload: receiveUpload(files),
    completeUpload: completeUpload(files),
    collectFiles: collecting,

    recordDeniedAccess: recordDeniedAccess(deniedAccess),
    summarizeDeniedAccess: summarizeDeniedAccess(deniedAccess),
  };
};
