-- Approvals that wait for somebody with a role, found by whoever has it in the tenant.
ALTER TABLE approvals ADD COLUMN role TEXT;
ALTER TABLE approvals ADD COLUMN tenant TEXT;
CREATE INDEX approvals_by_role ON approvals (tenant, role, number, status) WHERE role IS NOT NULL;
