"""Tests of the local Clerk."""
